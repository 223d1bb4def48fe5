/// Weighted mean and spread of vectors.
#[derive(Debug)]
pub struct Moments {
    /// How many vectors there are.
    pub count: f64,
    /// Of each component.
    pub mean: Vec<f64>,
    /// Of each component.
    pub variances: Vec<f64>,
    /// Sum of the variances.
    pub variance: f64,
    fourth: f64,
}

impl Moments {
    /// The weights sum to 1.
    pub fn weighted(vectors: &[Vec<f64>], weights: &[f64]) -> Self {
        let weighted = || vectors.iter().zip(weights);
        let (mut mean, mut variances) = (vec![0.0; vectors[0].len()], vec![0.0; vectors[0].len()]);
        for (vector, weight) in weighted() {
            for (m, x) in mean.iter_mut().zip(vector) {
                *m += weight * x;
            }
        }
        let mut fourth = 0.0;
        for (vector, weight) in weighted() {
            let mut distance = 0.0;
            for ((v, m), x) in variances.iter_mut().zip(&mean).zip(vector) {
                *v += weight * (x - m).powi(2);
                distance += (x - m).powi(2);
            }
            fourth += weight * distance.powi(2);
        }
        Self {
            count: vectors.len() as f64,
            variance: variances.iter().sum(),
            mean,
            variances,
            fourth,
        }
    }

    /// Of vectors that weigh the same.
    pub fn of(vectors: &[Vec<f64>]) -> Self {
        Self::weighted(vectors, &vec![1.0 / vectors.len() as f64; vectors.len()])
    }

    /// Of the rows of a matrix that weigh the same.
    pub fn of_rows(numbers: &[f64], width: usize) -> Self {
        let rows: Vec<Vec<f64>> = numbers.chunks(width).map(<[f64]>::to_vec).collect();
        Self::of(&rows)
    }

    /// Standard error of the variance.
    pub fn error(&self) -> f64 {
        ((self.fourth - self.variance.powi(2)) / self.count).sqrt()
    }
}
